-- Whoever calls without a key only wants the server to know the script.
if #KEYS == 0 then
  return true
end

-- The first 16 bytes of what is there, filled up with zeros. What is no string is nothing to us.
local function head(key)
  if redis.call('TYPE', key).ok ~= 'string' then
    return nil
  end
  local first = redis.call('GETRANGE', key, 0, 15)
  return first .. string.rep('\0', 16 - #first)
end

-- Nothing is there, or a promise.
local function is_vacant(head)
  return not head or string.byte(head) == 192
end

-- Keeps bytes for so many milliseconds, or for ever if that is empty. If they can't be kept, nothing is.
local function keep(key, bytes, life)
  local kept
  if life == '' then
    kept = redis.pcall('SET', key, bytes)
  else
    kept = redis.pcall('SET', key, bytes, 'PX', life)
  end
  if kept.err then
    redis.call('UNLINK', key)
  end
  return kept
end
