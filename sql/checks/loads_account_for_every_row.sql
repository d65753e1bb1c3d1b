-- One row per load whose rows read are not all accepted, duplicate or quarantined.
select load_id
from run.inputs
where read_count is distinct from accepted_count + duplicate_count + quarantined_count
