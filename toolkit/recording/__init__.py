"""The run folder: where everything recorded lies, and the formats it lies in. Knows no engine and no server."""
