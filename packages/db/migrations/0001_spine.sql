-- breaking: no
-- The truth of Nightshift: tenants and their keys, files, batches, the ledger of lines, the result log, limits.

create table tenants (
  id text primary key,
  -- Share of an upstream's window against other tenants.
  weight real not null default 1 check (weight > 0),
  created_at timestamptz not null default now()
);

create table api_keys (
  id bigint generated always as identity primary key,
  tenant text not null references tenants (id),
  -- SHA-256 of the key; keys are random, so no slow hash is needed.
  hash bytea not null unique,
  -- The first characters, for lists and logs.
  hint text not null,
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);

-- Bytes in the object store, apart from the files that name them: they go when nothing needs them any more.
create table blobs (
  key text primary key,
  bytes bigint not null,
  etag text not null,
  created_at timestamptz not null default now()
);

create table files (
  id text primary key,
  -- Order of creation; lists page by it.
  number bigint generated always as identity unique,
  tenant text not null references tenants (id),
  purpose text not null,
  filename text not null,
  bytes bigint not null,
  -- Null once the bytes are gone.
  blob text references blobs (key),
  created_at timestamptz not null,
  expires_at timestamptz,
  deleted_at timestamptz
);
create index files_by_tenant on files (tenant, number desc) where deleted_at is null;
create index files_by_blob on files (blob);

create table batches (
  batch_no bigint generated always as identity primary key,
  id text not null unique,
  tenant text not null references tenants (id),
  endpoint text not null,
  completion_window text not null,
  input_file_id text not null,
  metadata jsonb,
  output_expires_after_seconds integer,
  status text not null default 'validating',
  model text,
  errors jsonb,
  output_file_id text,
  error_file_id text,
  created_at timestamptz not null,
  -- The end of the completion window.
  deadline timestamptz not null,
  in_progress_at timestamptz,
  finalizing_at timestamptz,
  completed_at timestamptz,
  failed_at timestamptz,
  expired_at timestamptz,
  cancelling_at timestamptz,
  cancelled_at timestamptz,
  -- Set by validation, in the statement that enters in_progress.
  upstream text,
  input_blob text references blobs (key),
  index_blob text references blobs (key),
  total integer not null default 0,
  -- The feed checkpoint: lines before it were handed out; it is also where the rest begins in the input.
  fed_lines integer not null default 0 check (fed_lines <= total),
  fed_bytes bigint not null default 0,
  -- The partition of `lines`: days since 1970-01-01 (UTC) of created_at.
  day integer not null
);
create index batches_by_tenant on batches (tenant, batch_no desc);
create index batches_unfinished on batches (status, batch_no)
  where status in ('validating', 'in_progress', 'finalizing', 'cancelling');
create index batches_to_feed on batches (upstream, deadline) where status = 'in_progress' and fed_lines < total;
create index batches_by_input on batches (input_blob);
create index batches_by_index on batches (index_blob);

-- Apart from `batches` because each flush of results writes it.
create table batch_progress (
  batch_no bigint primary key references batches (batch_no),
  completed integer not null default 0,
  failed integer not null default 0,
  input_tokens bigint not null default 0,
  output_tokens bigint not null default 0,
  total_tokens bigint not null default 0,
  cached_tokens bigint not null default 0,
  reasoning_tokens bigint not null default 0,
  -- Ordered by commit: readers of "what is new" follow it.
  seq bigint not null default 0,
  -- Lines that an admin or their owner asked to run again; while there are any, older results are looked at twice.
  retries integer not null default 0,
  sealed_at timestamptz,
  sealed_as text check (sealed_as in ('done', 'expired', 'cancelled'))
) with (fillfactor = 50);

create table slices (
  slice_no bigint generated always as identity primary key,
  batch_no bigint not null references batches (batch_no),
  upstream text not null,
  first_line integer not null,
  line_count integer not null check (line_count between 1 and 64),
  -- Where the lines first_line to first_line + line_count - 1 lie in the input.
  byte_offset bigint not null,
  byte_length bigint not null,
  -- Bit i is line first_line + i: set while that line is neither done nor moved to another slice.
  todo bigint not null,
  attempt integer not null default 0,
  request_gen integer not null default 0,
  not_before timestamptz not null default now(),
  gen integer not null default 0,
  owner text
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);
create index slices_by_batch on slices (batch_no, first_line);
create index slices_by_upstream on slices (upstream, not_before);
create index slices_by_owner on slices (owner) where owner is not null;

create table workers (
  id text primary key,
  -- Changes with each heartbeat; observers time it by their own clocks.
  heartbeat bigint not null default 0,
  -- Where the process runs, so that a successor on the same machine sees at once that it is gone.
  host text not null,
  pid integer not null,
  started_at timestamptz not null default now()
) with (fillfactor = 50);

-- Who did last what all workers take turns at.
create table turns (
  name text primary key,
  taken_at timestamptz not null default '-infinity'
);

create table segments (
  id bigint generated always as identity primary key,
  key text not null unique,
  bytes bigint not null,
  created_at timestamptz not null default now()
);

-- The line index: one row for each line that is done, with the place of its result.
create table lines (
  day integer not null,
  batch_no bigint not null,
  line integer not null,
  segment bigint not null,
  segment_offset integer not null,
  length integer not null,
  failed boolean not null,
  -- Failed because its attempts ran out, and not by an answer that would be the same again.
  exhausted boolean not null,
  request_gen integer not null,
  seq bigint not null,
  primary key (day, batch_no, line)
) partition by range (day);

-- Where a batch's results lie in the segments, by kind, in the order of their commit.
create table extents (
  batch_no bigint not null,
  seq bigint not null,
  kind text not null check (kind in ('output', 'error')),
  segment bigint not null references segments (id),
  segment_offset integer not null,
  length integer not null,
  lines integer not null,
  primary key (batch_no, kind, seq, segment_offset)
);
create index extents_by_segment on extents (segment);

-- An upstream's limits, held across all workers: see the limiter.
create table upstreams (
  name text primary key,
  concurrency integer not null check (concurrency > 0),
  -- What the upstream bears at the moment: shrinks when it throttles, grows back to `concurrency`.
  concurrency_now real not null,
  requests_per_minute integer check (requests_per_minute > 0),
  request_credits double precision not null default 0,
  refilled_at timestamptz not null default clock_timestamp(),
  paused_until timestamptz not null default '-infinity',
  shrunk_at timestamptz not null default '-infinity',
  -- What a line took lately, in milliseconds. Null until one was sent.
  line_ms real
) with (fillfactor = 50);

create table permits (
  upstream text not null references upstreams (name),
  worker text not null,
  held integer not null default 0,
  -- What the worker could use; permits are shared among those that could use any.
  wanted integer not null default 0,
  -- As measured by this worker.
  lines_per_second real not null default 0,
  primary key (upstream, worker)
) with (fillfactor = 50);

-- Lines that were asked for again: the batch's history of requeues.
create table retries (
  id bigint generated always as identity primary key,
  batch_no bigint not null references batches (batch_no),
  line integer not null,
  request_gen integer not null,
  asked_by text not null,
  asked_at timestamptz not null default now(),
  unique (batch_no, line, request_gen)
);
