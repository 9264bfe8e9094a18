"""The messages of an event file, as protobuf classes. README.md says where each came from and how they are made."""
