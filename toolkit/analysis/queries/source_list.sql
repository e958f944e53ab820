-- What was read from where.
SELECT source, records, unreadable, implausible, problem FROM sources ORDER BY source
