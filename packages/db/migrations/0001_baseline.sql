-- breaking: no
-- The schema of Nightshift, table by table: tenants, files, batches, the ledger of lines, retries, workers, limits,
-- webhooks. Terms such as slice, segment and extent are explained in docs/glossary.md.

-- Tenants

create table tenants (
  id text primary key,
  -- A tier of the configuration file. The tier is `default` if this is NULL or a name that the configuration lacks.
  tier text,
  -- Share of an upstream's window, relative to the weights of the other tenants.
  weight real not null default 1 check (weight > 0),
  created_at timestamptz not null default now()
);

create table api_keys (
  id bigint generated always as identity primary key,
  -- The id that the admin API shows. It reveals nothing about the key.
  public_id text not null unique default ('key_' || replace(gen_random_uuid()::text, '-', '')),
  tenant text not null references tenants (id),
  name text,
  -- SHA-256 of the key. Keys are random, so they need no slow hash.
  hash bytea not null unique,
  -- The first characters of the key, for lists and logs.
  hint text not null,
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);
create index api_keys_by_tenant on api_keys (tenant, id desc);

-- Requests of a tenant in the current minute, counted over all API processes.
create table request_windows (
  tenant text primary key references tenants (id),
  -- Minutes since 1970-01-01.
  minute bigint not null,
  used integer not null,
  -- The number of requests that the last call was granted.
  granted integer not null
) with (fillfactor = 50);

-- Records what a request with an `Idempotency-Key` created, so that a repeated request gets the same reply.
create table idempotency_keys (
  tenant text not null references tenants (id),
  operation text not null check (operation in ('create_batch', 'create_file')),
  key text not null,
  -- SHA-256 of the request.
  request_hash bytea not null,
  -- Id of the batch or file. The transaction that creates the object also inserts this row.
  object_id text not null,
  expires_at timestamptz not null,
  primary key (tenant, operation, key)
);
create index idempotency_keys_by_expiry on idempotency_keys (expires_at);

-- Files

-- An object in the object store. Files refer to blobs; a blob is deleted when nothing needs it any more.
create table blobs (
  key text primary key,
  bytes bigint not null,
  etag text not null,
  created_at timestamptz not null default now(),
  -- Set when a retry gave the file new content. The old object is kept for downloads that are still running.
  retired_at timestamptz
);

create table files (
  id text primary key,
  -- The order of creation. In lists, it breaks ties between files with the same created_at.
  number bigint generated always as identity unique,
  tenant text not null references tenants (id),
  purpose text not null,
  filename text not null,
  bytes bigint not null,
  -- NULL once the object is deleted.
  blob text references blobs (key),
  created_at timestamptz not null,
  expires_at timestamptz,
  deleted_at timestamptz
);
-- Lists are ordered by created_at, which the API shows (contract §1.1), and not by number alone: with concurrent
-- requests, a later file can get a lower number.
create index files_by_tenant on files (tenant, created_at desc, number desc) where deleted_at is null;
create index files_by_blob on files (blob);

-- A file that arrives in parts: POST /v1/uploads.
create table uploads (
  id text primary key,
  tenant text not null references tenants (id),
  purpose text not null,
  filename text not null,
  mime_type text not null,
  -- The expected sum of the parts.
  bytes bigint not null check (bytes >= 0),
  -- Lifetime of the file. NULL if the file does not expire.
  file_expires_after_seconds integer,
  -- A pending upload past its expires_at counts as expired, even before maintenance updates this column.
  status text not null default 'pending' check (status in ('pending', 'completed', 'cancelled', 'expired')),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  -- The next three are set when the upload is completed. file_id is not a foreign key, because the file may be deleted
  -- before the upload.
  completed_at timestamptz,
  file_id text,
  part_ids text[],
  check ((status = 'completed') = (completed_at is not null and file_id is not null and part_ids is not null))
);
create index uploads_pending on uploads (expires_at) where status = 'pending';

-- A part of an upload. Once the upload is no longer pending, the part is deleted together with its blob.
create table upload_parts (
  id text primary key,
  upload text not null references uploads (id),
  bytes bigint not null,
  blob text not null references blobs (key),
  created_at timestamptz not null
);
create index upload_parts_by_upload on upload_parts (upload);
create index upload_parts_by_blob on upload_parts (blob);

-- Batches

create table batches (
  -- The number that all other tables refer to, in order of creation.
  batch_no bigint generated always as identity primary key,
  -- The id that the API shows.
  id text not null unique,
  tenant text not null references tenants (id),
  -- The x-request-id of the request that created the batch. The workers' log lines about the batch contain it.
  request_id text,
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
  -- Set when the tenant's tier had no room for the batch. The limit is checked again when another batch of the tenant
  -- ends.
  queued_at timestamptz,
  -- Set when the tenant's tier had room. From then on the batch counts as running until its status is final.
  admitted_at timestamptz,
  -- The next four are set by the statement that moves the batch from `validating` to `in_progress`.
  upstream text,
  input_blob text references blobs (key),
  -- The byte offsets of the input's lines.
  index_blob text references blobs (key),
  total integer not null default 0,
  -- The feed checkpoint: the number of lines that were cut into slices, and the offset of the next line in the input.
  fed_lines integer not null default 0 check (fed_lines <= total),
  fed_bytes bigint not null default 0,
  -- The partition of `lines`: days between 1970-01-01 and created_at, in UTC.
  day integer not null
);
-- Lists are ordered by created_at, which the API shows (contract §1.3), and not by batch_no alone: with concurrent
-- requests, a later batch can get a lower number.
create index batches_by_tenant on batches (tenant, created_at desc, batch_no desc);
create index batches_unfinished on batches (status, batch_no)
  where status in ('validating', 'in_progress', 'finalizing', 'cancelling');
create index batches_unfinished_of_tenant on batches (tenant, batch_no)
  where status in ('validating', 'in_progress', 'finalizing', 'cancelling');
create index batches_waiting on batches (tenant, batch_no) where status = 'validating' and admitted_at is null;
create index batches_to_feed on batches (upstream, deadline) where status = 'in_progress' and fed_lines < total;
create index batches_by_input on batches (input_blob);
create index batches_by_index on batches (index_blob);

-- The counts of a batch. This is a separate table, because each flush of results updates it.
create table batch_progress (
  batch_no bigint primary key references batches (batch_no),
  completed integer not null default 0,
  failed integer not null default 0,
  -- One column for each row of TOKEN_COUNTERS in packages/domain/src/usage.ts.
  input_tokens bigint not null default 0,
  output_tokens bigint not null default 0,
  total_tokens bigint not null default 0,
  cached_tokens bigint not null default 0,
  reasoning_tokens bigint not null default 0,
  -- Grows with each commit. Readers that poll for new results use it as their cursor.
  seq bigint not null default 0,
  -- The number of retries ever opened for the batch. If it is above 0, each result is checked against `retries`.
  retry_count integer not null default 0,
  sealed_at timestamptz,
  sealed_as text check (sealed_as in ('done', 'expired', 'cancelled'))
) with (fillfactor = 50);

-- Events of a batch that its status does not show: retries and their outcomes.
create table batch_history (
  id bigint generated always as identity primary key,
  batch_no bigint not null references batches (batch_no),
  at timestamptz not null,
  what text not null,
  -- The key or admin that requested the change. NULL if the service made it.
  by text,
  details jsonb not null default '{}'
);
create index batch_history_by_batch on batch_history (batch_no, id);

-- The ledger: each line of a running batch is past the feed checkpoint, in the `todo` of one slice, or in `lines`

-- A run of 1 to 64 consecutive lines of a batch: the unit that a worker claims.
create table slices (
  slice_no bigint generated always as identity primary key,
  batch_no bigint not null references batches (batch_no),
  upstream text not null,
  first_line integer not null,
  line_count integer not null check (line_count between 1 and 64),
  -- The bytes of the lines first_line to first_line + line_count - 1 in the input.
  byte_offset bigint not null,
  byte_length bigint not null,
  -- Bit i stands for line first_line + i. It is set until the line has a result or moves to another slice.
  todo bigint not null,
  -- The number of failed attempts of these lines.
  attempt integer not null default 0,
  -- Grows each time a user or admin requests a retry of these lines.
  request_gen integer not null default 0,
  not_before timestamptz not null default now(),
  -- Grows each time the slice is freed, so that older jobs for it are stale.
  gen integer not null default 0,
  -- The worker that claimed the slice.
  owner text,
  -- Set on slices that retry lines of a finished batch. The slice can be claimed until this time, whatever the status
  -- and deadline of the batch are.
  retry_until timestamptz
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);
create index slices_by_batch on slices (batch_no, first_line);
create index slices_by_upstream on slices (upstream, not_before);
create index slices_by_owner on slices (owner) where owner is not null;

-- The line index: one row for each line with a result, and the place of the result. There is a partition for each day.
create table lines (
  day integer not null,
  batch_no bigint not null,
  line integer not null,
  segment bigint not null,
  segment_offset integer not null,
  length integer not null,
  -- True for lines of the error file.
  failed boolean not null,
  -- True if the last attempt failed. False if the upstream gave an answer that another attempt would not change.
  exhausted boolean not null,
  request_gen integer not null,
  seq bigint not null,
  primary key (day, batch_no, line)
) partition by range (day);
-- The reconciler refills the queue failed-lines from the newest exhausted lines.
create index lines_exhausted on lines (batch_no desc, line desc) where exhausted;

-- An object that a worker wrote with the result lines of one flush.
create table segments (
  id bigint generated always as identity primary key,
  key text not null unique,
  bytes bigint not null,
  created_at timestamptz not null default now()
);

-- A run of adjacent result lines of one batch and one kind in a segment. Extents are read in commit order.
create table extents (
  batch_no bigint not null,
  seq bigint not null,
  result_kind text not null check (result_kind in ('output', 'error')),
  segment bigint not null references segments (id),
  segment_offset integer not null,
  length integer not null,
  lines integer not null,
  primary key (batch_no, result_kind, seq, segment, segment_offset)
);
create index extents_by_segment on extents (segment);

-- A user's or admin's request to run a failed line again.
create table retries (
  id bigint generated always as identity primary key,
  batch_no bigint not null references batches (batch_no),
  line integer not null,
  request_gen integer not null,
  asked_by text not null,
  asked_at timestamptz not null default now(),
  -- `answered` is used in finished batches only: the result is durable, but the batch's files have not been rebuilt
  -- yet.
  state text not null default 'open' check (state in ('open', 'answered', 'succeeded', 'failed')),
  -- When an open retry of a finished batch is given up. NULL if the batch was running, because its deadline applies
  -- then.
  gives_up_at timestamptz,
  -- The result, as in `lines`. Kept here until the batch's files are rebuilt.
  answered_at timestamptz,
  segment bigint,
  segment_offset integer,
  length integer,
  failed boolean,
  exhausted boolean,
  -- The same counters as in `batch_progress`.
  input_tokens bigint not null default 0,
  output_tokens bigint not null default 0,
  total_tokens bigint not null default 0,
  cached_tokens bigint not null default 0,
  reasoning_tokens bigint not null default 0,
  unique (batch_no, line, request_gen)
);
create index retries_unfinished on retries (batch_no) where state in ('open', 'answered');
create index retries_by_segment on retries (segment) where state = 'answered';

-- Workers

create table workers (
  id text primary key,
  -- Grows with each heartbeat. Observers time the changes with their own clocks.
  heartbeat bigint not null default 0,
  -- Where the process runs. A new worker on the same host sees at once that the process has ended.
  host text not null,
  pid integer not null,
  started_at timestamptz not null default now()
) with (fillfactor = 50);

-- The last start of each periodic task that only one worker at a time should run.
create table turns (
  name text primary key,
  taken_at timestamptz not null default '-infinity'
);

-- Limits

-- The limits of an upstream, shared by all workers: see packages/db/src/limits/lease.ts.
create table upstreams (
  name text primary key,
  concurrency integer not null check (concurrency > 0),
  -- The concurrency that the upstream currently handles. Shrinks when it throttles, then grows back to `concurrency`.
  concurrency_now real not null,
  requests_per_minute integer check (requests_per_minute > 0),
  -- The number of lines in a slice. NULL if it is chosen from the measured time per line.
  slice_lines integer check (slice_lines between 1 and 64),
  -- The number of request credits at the time in refilled_at.
  request_credits double precision not null default 0,
  refilled_at timestamptz not null default clock_timestamp(),
  paused_until timestamptz not null default '-infinity',
  shrunk_at timestamptz not null default '-infinity',
  -- The moving average of the time per line, in milliseconds. NULL until the first line returns.
  line_ms real
) with (fillfactor = 50);

-- The permits to have lines in flight, for each upstream and worker.
create table permits (
  upstream text not null references upstreams (name),
  worker text not null,
  held integer not null default 0,
  -- Permits that the worker could use. Permits are shared among the workers where this is above 0.
  wanted integer not null default 0,
  -- Measured by this worker.
  lines_per_second real not null default 0,
  primary key (upstream, worker)
) with (fillfactor = 50);

-- Webhooks

create table webhook_endpoints (
  id text primary key,
  -- Order of creation. Lists use it as their cursor.
  number bigint generated always as identity unique,
  tenant text not null references tenants (id),
  url text not null,
  -- The event types that the endpoint receives.
  events text[] not null,
  -- The secret is stored in plain text, because each delivery is signed with it.
  secret text not null,
  created_at timestamptz not null
);
create index webhook_endpoints_by_tenant on webhook_endpoints (tenant, number desc);

-- One event for each batch with a final status. The statement that sets the status inserts the event.
create table webhook_events (
  number bigint generated always as identity primary key,
  id text not null unique default 'evt_' || replace(gen_random_uuid()::text, '-', ''),
  tenant text not null,
  type text not null,
  -- The id that the API shows. It is not a foreign key, so that an event can outlive its batch.
  batch_id text not null unique,
  -- When the batch reached its final status.
  created_at timestamptz not null
);
create index webhook_events_by_age on webhook_events (created_at);

-- One delivery for each event and each endpoint that was registered for the event's type when the event was inserted.
create table webhook_deliveries (
  number bigint generated always as identity primary key,
  -- The `webhook-id` header. All attempts send the same one, so that receivers can detect duplicates.
  id text not null unique default 'wh_' || replace(gen_random_uuid()::text, '-', ''),
  event bigint not null references webhook_events (number) on delete cascade,
  endpoint text not null references webhook_endpoints (id) on delete cascade,
  state text not null default 'pending' check (state in ('pending', 'delivered', 'failed')),
  -- Incremented before an attempt, so that an attempt counts even if the worker dies before it records the result.
  attempts integer not null default 0,
  -- NULL after the last attempt.
  next_attempt_at timestamptz,
  delivered_at timestamptz,
  last_status integer,
  last_error text,
  -- The worker that is sending the delivery, and the time at which its lease ends.
  owner text,
  leased_until timestamptz,
  check ((state = 'pending') = (next_attempt_at is not null))
) with (fillfactor = 80);
create index webhook_deliveries_by_endpoint on webhook_deliveries (endpoint, number desc);
create index webhook_deliveries_by_event on webhook_deliveries (event);
create index webhook_deliveries_due on webhook_deliveries (next_attempt_at) where state = 'pending';
create index webhook_deliveries_owned on webhook_deliveries (endpoint) where owner is not null;
