"""The left half at work: stages that connect, record, drive load, and undo exactly what they did."""
