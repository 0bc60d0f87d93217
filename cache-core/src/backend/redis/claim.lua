-- KEYS: the cell that names the database of a namespace. ARGV: the identity of the caller's database.
-- Answers the identity that holds the namespace.
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])
