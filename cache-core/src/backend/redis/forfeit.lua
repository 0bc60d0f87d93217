-- KEYS: the slot. ARGV: the token of the lease.
local state, held = look(KEYS[1])
if state == 'leased' and held == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
