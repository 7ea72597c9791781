-- breaking: no
-- Retries of finished batches: where their results wait until the files are rebuilt, and the batch's history.

alter table retries
  -- answered: of a finished batch, the result is durable and its files are to be rebuilt.
  add column state text not null default 'open' check (state in ('open', 'answered', 'succeeded', 'failed')),
  -- Given up then. Null: asked for while the batch ran, so that its deadline holds.
  add column until timestamptz,
  add column answered_at timestamptz,
  add column segment bigint,
  add column segment_offset integer,
  add column length integer,
  add column failed boolean,
  add column exhausted boolean,
  add column input_tokens bigint not null default 0,
  add column output_tokens bigint not null default 0,
  add column total_tokens bigint not null default 0,
  add column cached_tokens bigint not null default 0,
  add column reasoning_tokens bigint not null default 0;

update retries m set state = coalesce(
  (select case when l.failed then 'failed' else 'succeeded' end
   from batches b join lines l on l.day = b.day and l.batch_no = b.batch_no and l.line = m.line where b.batch_no = m.batch_no),
  (select 'failed' from batch_progress p where p.batch_no = m.batch_no and p.sealed_at is not null),
  'open');

create index retries_unfinished on retries (batch_no) where state in ('open', 'answered');
create index retries_by_segment on retries (segment) where state = 'answered';

-- Set on a slice of a finished batch's retries: it may be claimed until then, whatever the batch's state and deadline.
alter table slices add column retry_until timestamptz;

-- Replaced by the files' next content: kept for downloads that are under way.
alter table blobs add column retired_at timestamptz;

-- The failed set is rebuilt from the newest of these.
create index lines_exhausted on lines (batch_no desc, line desc) where exhausted;

-- What happened to a batch beyond its states.
create table batch_history (
  id bigint generated always as identity primary key,
  batch_no bigint not null references batches (batch_no),
  at timestamptz not null,
  what text not null,
  -- Null: the service itself.
  by text,
  details jsonb not null default '{}'
);
create index batch_history_by_batch on batch_history (batch_no, id);
