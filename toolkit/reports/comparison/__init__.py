"""What `toolkit compare` leaves for people and scripts: text, compare.json, compare.html, differential flamegraphs."""
