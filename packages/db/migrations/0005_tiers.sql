-- breaking: no
-- Tenants get tiers, keys get names and ids to be named by, and batches wait for their tenant's turn.

-- A tier of the configuration; null, or one that the configuration does not have: the tier `default`.
alter table tenants add column tier text;

-- What the admin API names a key by; says nothing of the key itself.
alter table api_keys add column public_id text not null unique
  default ('key_' || replace(gen_random_uuid()::text, '-', ''));
alter table api_keys add column name text;
create index api_keys_by_tenant on api_keys (tenant, id desc);

-- Set when the tenant's tier had no room for the batch; it is looked at again when one of the tenant's batches ends.
alter table batches add column queued_at timestamptz;
-- Set when it had: from then on the batch counts as running until it is final.
alter table batches add column admitted_at timestamptz;
create index batches_waiting on batches (tenant, batch_no) where status = 'validating' and admitted_at is null;
create index batches_unfinished_of_tenant on batches (tenant, batch_no)
  where status in ('validating', 'in_progress', 'finalizing', 'cancelling');

-- Requests of a tenant in the present minute, over all API processes.
create table request_windows (
  tenant text primary key references tenants (id),
  minute bigint not null,
  used integer not null,
  -- What the last asker got.
  granted integer not null
) with (fillfactor = 50);
