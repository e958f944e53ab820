"""How load is made. Pure: plan values to argv and files, files to request records."""
