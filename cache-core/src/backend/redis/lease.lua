-- KEYS: the slot, then the epoch cell and the presence cell where there are any.
-- ARGV: token, ttl, the token that may be replaced or '', 1 if there is an epoch cell, 1 if there is a presence
--       cell, a fresh epoch, a fresh presence epoch.
-- Answers the epoch and the presence epoch, '' where there is none, or nil if the lease is refused.
local slot, token, ttl, replaces = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3]
local epochCell = ARGV[4] == '1' and KEYS[2]
local presenceCell = ARGV[5] == '1' and KEYS[#KEYS]

local state, held = look(slot)
if state ~= 'empty' and not (state == 'filled' and held == replaces) then return false end

local epoch = ''
if epochCell then
  epoch = open(epochCell, ARGV[6])
  if not epoch then
    redis.call('DEL', slot)
    return false
  end
end
put(slot, 'L1' .. token, ttl)
return { epoch, presenceCell and open(presenceCell, ARGV[7]) or '' }
