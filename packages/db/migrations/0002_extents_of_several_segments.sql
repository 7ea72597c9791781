-- breaking: no
-- One record may bring several segments, whose extents begin at the same offsets.
alter table extents drop constraint extents_pkey;
alter table extents add primary key (batch_no, kind, seq, segment, segment_offset);
