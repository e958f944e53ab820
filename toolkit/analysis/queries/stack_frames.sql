-- The frames of the stacks that one view of one server holds.
SELECT stack_id, frames
FROM stacks
WHERE stack_id IN (SELECT stack_id FROM samples WHERE server = $server AND view = $view)
