-- breaking: no
-- Lists are ordered by the time that their objects show (contract §1.1, §1.3): requests beside each other take their
-- numbers in another order than their times.
drop index batches_by_tenant;
create index batches_by_tenant on batches (tenant, created_at desc, batch_no desc);
drop index files_by_tenant;
create index files_by_tenant on files (tenant, created_at desc, number desc) where deleted_at is null;
