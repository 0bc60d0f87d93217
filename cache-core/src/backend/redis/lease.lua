-- KEYS: the cell of the incarnation; the schema cell; then for each wish the slot, then the epoch cell and the
--       presence cell where there are any.
-- ARGV: ttl, a fresh generation; then for each wish: token, the token that may be replaced or '', 1 if there is an
--       epoch cell, 1 if there is a presence cell, a fresh epoch, a fresh presence epoch.
-- Answers the schema's generation, nil while its cell is fenced: then every lease is refused; and for each wish the
-- epoch and the presence epoch, '' where there is none, or nil if the lease is refused.
local ttl, nextKey, grants = tonumber(ARGV[1]), 3, {}

-- Where the caller's number is not the one in use, its entries would be nobody else's: it has to connect anew.
if redis.pcall('GETRANGE', KEYS[1], 2, 9) ~= incarnation then
  return redis.error_reply('OTHERINCARNATION the server keeps another incarnation by now')
end
renew(KEYS[1], INCARNATION_LIFE)
local generation = open(KEYS[2], ARGV[2])

local function key(exists)
  if not exists then return nil end
  nextKey = nextKey + 1
  return KEYS[nextKey - 1]
end

local function lease(slot, epochCell, presenceCell, token, replaces, freshEpoch, freshPresence)
  if not generation then return false end
  local state, held = look(slot)
  if state ~= 'empty' and not (state == 'filled' and held == replaces) then return false end
  local epoch = ''
  if epochCell then
    epoch = open(epochCell, freshEpoch)
    if not epoch then
      redis.call('DEL', slot)
      return false
    end
  end
  put(slot, 'L2' .. token .. incarnation, ttl)
  return { epoch, presenceCell and open(presenceCell, freshPresence) or '' }
end

for at = 3, #ARGV, 6 do
  local slot, epochCell, presenceCell = key(true), key(ARGV[at + 2] == '1'), key(ARGV[at + 3] == '1')
  grants[#grants + 1] =
    lease(slot, epochCell, presenceCell, ARGV[at], ARGV[at + 1], ARGV[at + 4], ARGV[at + 5])
end
return { generation or false, grants }
