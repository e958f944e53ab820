-- How many lines have their request.
SELECT count(*) AS matches FROM join_matches
