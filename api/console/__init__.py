"""The console pages that people open in a browser, and the files they are made of. No file comes from another host."""
