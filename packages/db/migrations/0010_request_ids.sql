-- breaking: no
-- The x-request-id of the request that created the batch: the workers' log lines about a batch name it, so that one search
-- finds what a request has caused. Null for batches that were there before.
alter table batches add column request_id text;
