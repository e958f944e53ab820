-- What was read from where.
SELECT source, records, unreadable, implausible, problem, damage FROM sources ORDER BY source
