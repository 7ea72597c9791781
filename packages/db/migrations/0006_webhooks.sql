-- breaking: no
-- Outgoing webhooks: who wants to hear of a tenant's batches, what there is to tell, and what became of telling it.

create table webhook_endpoints (
  id text primary key,
  -- Order of creation; lists page by it.
  number bigint generated always as identity unique,
  tenant text not null references tenants (id),
  url text not null,
  -- The types that it wants.
  events text[] not null,
  -- In clear: each delivery is signed with it, so a hash would not do.
  secret text not null,
  created_at timestamptz not null
);
create index webhook_endpoints_by_tenant on webhook_endpoints (tenant, number desc);

-- One for each batch that reached a final state, written by the statement that moved the batch.
create table webhook_events (
  number bigint generated always as identity primary key,
  id text not null unique default 'evt_' || replace(gen_random_uuid()::text, '-', ''),
  tenant text not null,
  type text not null,
  -- The batch's public id; no reference, so that an event outlives its batch.
  batch_id text not null unique,
  -- When the batch reached that state.
  created_at timestamptz not null
);
create index webhook_events_by_age on webhook_events (created_at);

-- One for each event and endpoint that wanted it when it happened.
create table webhook_deliveries (
  number bigint generated always as identity primary key,
  -- The webhook-id: the same over all attempts, so that receivers can tell a repetition.
  id text not null unique default 'wh_' || replace(gen_random_uuid()::text, '-', ''),
  event bigint not null references webhook_events (number) on delete cascade,
  endpoint text not null references webhook_endpoints (id) on delete cascade,
  state text not null default 'pending' check (state in ('pending', 'delivered', 'failed')),
  -- Counted when one begins: it may have been sent even where nothing was recorded afterwards.
  attempts integer not null default 0,
  -- Null once nothing follows.
  next_attempt_at timestamptz,
  delivered_at timestamptz,
  last_status integer,
  last_error text,
  -- The worker that sends it at the moment, and until when nobody else does.
  owner text,
  leased_until timestamptz,
  check ((state = 'pending') = (next_attempt_at is not null))
) with (fillfactor = 80);
create index webhook_deliveries_by_endpoint on webhook_deliveries (endpoint, number desc);
create index webhook_deliveries_by_event on webhook_deliveries (event);
create index webhook_deliveries_due on webhook_deliveries (next_attempt_at) where state = 'pending';
create index webhook_deliveries_owned on webhook_deliveries (endpoint) where owner is not null;
