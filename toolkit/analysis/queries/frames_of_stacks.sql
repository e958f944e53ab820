-- The frames of some stacks.
SELECT stack_id, frames FROM stacks WHERE stack_id IN (SELECT unnest($stacks::INTEGER[]))
