-- Put before every script. The cells are encoded as codec.rs says; the transitions are those of slot.rs.

local LONGEST = 16777216
local LONGEST_TTL = 315360000000
-- An epoch or presence cell that is not used for so long is forgotten, which makes its entries invalid.
local EPOCH_LIFE = 86400000
-- So is the incarnation that nobody asks for a lease.
local INCARNATION_LIFE = 1800000

-- Before its other arguments, the caller names the incarnation of the server that it believes in.
local incarnation = table.remove(ARGV, 1)

-- Milliseconds on the server's clock. The clients' clocks play no part.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- The holders of a fence that are still alive, each as { writer, deadline }.
local function holders(cell)
  local alive = {}
  if (#cell - 2) % 16 ~= 0 then return alive end
  for at = 3, #cell, 16 do
    local deadline = struct.unpack('>I8', cell, at + 8)
    if now < deadline and deadline <= now + LONGEST_TTL then
      alive[#alive + 1] = { string.sub(cell, at, at + 7), deadline }
    end
  end
  return alive
end

-- What a cell holds: 'filled' or 'leased' with the token, 'epoch' with its number, 'fenced' with its holders,
-- or 'empty', which is also the word for whatever is not ours: garbage, other versions, other types, and leases
-- and entries of another incarnation.
local function look(key)
  local head = redis.pcall('GETRANGE', key, 0, 26)
  if type(head) ~= 'string' then return 'empty' end
  local state = string.sub(head, 1, 2)
  local ours = string.sub(head, 11, 18) == incarnation
  if state == 'F2' and #head == 27 and ours then
    local flags, length = string.byte(head, 27), redis.call('STRLEN', key)
    local stamps = ({ [0] = 0, 8, 8, 16 })[flags]
    if stamps and length >= 27 + stamps and length <= LONGEST then
      return 'filled', string.sub(head, 3, 10)
    end
  elseif state == 'L2' and #head == 18 and ours then
    return 'leased', string.sub(head, 3, 10)
  elseif state == 'E1' and #head == 10 then
    return 'epoch', string.sub(head, 3, 10)
  elseif state == 'W1' then
    local alive = holders(redis.call('GET', key))
    if #alive > 0 then return 'fenced', alive end
  end
  return 'empty'
end

-- Stores a cell that expires. What is born expired only removes what was there.
local function put(key, cell, ttl)
  if ttl > 0 then
    redis.call('SET', key, cell, 'PX', string.format('%.0f', ttl))
  else
    redis.call('DEL', key)
  end
end

-- Stores a fence; the cell lives as long as its last holder.
local function putFence(key, alive)
  local cell, last = { 'W1' }, now
  for _, holder in ipairs(alive) do
    cell[#cell + 1] = holder[1] .. struct.pack('>I8', holder[2])
    last = math.max(last, holder[2])
  end
  put(key, table.concat(cell), last - now)
end

-- The holders without one writer, and whether the writer was among them.
local function without(alive, writer)
  local others = {}
  for _, holder in ipairs(alive) do
    if holder[1] ~= writer then others[#others + 1] = holder end
  end
  return others, #others < #alive
end

-- Lets a cell that is in use live on.
local function renew(key, life)
  if redis.call('PTTL', key) < life / 2 then redis.call('PEXPIRE', key, life) end
end

-- The number of an epoch or presence cell, started at a fresh one if it is empty; nil if it is fenced.
local function open(key, fresh)
  local state, number = look(key)
  if state == 'epoch' then
    renew(key, EPOCH_LIFE)
    return number
  end
  if state ~= 'empty' then return nil end
  redis.call('SET', key, 'E1' .. fresh, 'PX', EPOCH_LIFE)
  return fresh
end
