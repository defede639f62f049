"""The door: HTTP/1.1 on httptools, TLS and plain on one port. `server.HttpServer` is what the app uses."""
