"""The engine `sender`: each record of a file is sent once, by a crew of small processes that share a ledger."""
