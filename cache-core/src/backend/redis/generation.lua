-- KEYS: the schema cell. ARGV: a fresh generation.
-- Answers the schema's generation, or nil while its cell is fenced.
return open(KEYS[1], ARGV[1])
