-- Each stack once: frames from root to leaf.
SELECT * EXCLUDE (filename) FROM raw_stacks ORDER BY stack_id
