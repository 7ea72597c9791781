-- breaking: no
-- Lines of one slice where the configuration says it; null: as many as suit the time that a line takes.
alter table upstreams add column slice_lines integer check (slice_lines between 1 and 64);
