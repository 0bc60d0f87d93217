-- KEYS: the slot, then the epoch cell if there is one.
-- ARGV: token, ttl, the epoch that the entry is stamped with or '', the encoded entry.
-- Answers 1 if the entry was stored, 0 if the lease was superseded.
local slot, token, ttl, epoch, entry = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]

local state, held = look(slot)
if state ~= 'leased' or held ~= token then return 0 end

if KEYS[2] then
  local kind, number = look(KEYS[2])
  if kind ~= 'epoch' or number ~= epoch then
    redis.call('DEL', slot)
    return 0
  end
end
put(slot, entry, ttl)
return 1
