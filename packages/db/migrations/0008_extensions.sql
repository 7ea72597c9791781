-- breaking: no
-- Idempotency-Key: what a tenant's key made, so that the same request again is answered with it. Kept for a day.
create table idempotency_keys (
  tenant text not null references tenants (id),
  operation text not null check (operation in ('create_batch', 'create_file')),
  key text not null,
  -- SHA-256 of what the request asked for.
  request_hash bytea not null,
  -- The id of the batch or file, in the same transaction with which it began to exist.
  object_id text not null,
  expires_at timestamptz not null,
  primary key (tenant, operation, key)
);
create index idempotency_keys_by_expiry on idempotency_keys (expires_at);
