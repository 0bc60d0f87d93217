-- KEYS: for each entry the slot, then the epoch cell if there is one.
-- ARGV: for each entry: token, ttl, 1 if there is an epoch cell, the epoch that the entry is stamped with or '', the
--       encoded entry.
-- Answers for each 1 if the entry was stored, 0 if the lease was superseded.
local nextKey, stored = 1, {}

local function fill(slot, epochCell, token, ttl, epoch, entry)
  local state, held = look(slot)
  if state ~= 'leased' or held ~= token then return 0 end
  if epochCell then
    local kind, number = look(epochCell)
    if kind ~= 'epoch' or number ~= epoch then
      redis.call('DEL', slot)
      return 0
    end
  end
  put(slot, entry, ttl)
  return 1
end

for at = 1, #ARGV, 5 do
  local slot, epochCell = KEYS[nextKey], ARGV[at + 2] == '1' and KEYS[nextKey + 1]
  nextKey = nextKey + (epochCell and 2 or 1)
  stored[#stored + 1] = fill(slot, epochCell, ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 3], ARGV[at + 4])
end
return stored
