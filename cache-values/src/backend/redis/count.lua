-- Adds ARGV[1]; where there is nothing, begins with ARGV[2] for a time of ARGV[3], if these are given. The number as
-- text: Lua's own have but 53 bits.
if is_vacant(head(KEYS[1])) then
  if not ARGV[2] then
    return false
  end
  local kept = keep(KEYS[1], ARGV[2], ARGV[3])
  if kept.err then
    return kept
  end
  return ARGV[2]
end
local counted = redis.pcall('INCRBY', KEYS[1], ARGV[1])
if type(counted) == 'table' then
  return counted
end
return redis.call('GET', KEYS[1])
