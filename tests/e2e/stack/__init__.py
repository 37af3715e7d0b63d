"""The whole template on an emulator of AWS: how it gets there, and what is asked of it, part by part."""
