-- Keeps ARGV[2] for a time of ARGV[3], or removes what is there if that is 0, on the condition ARGV[1]: 'vacant',
-- 'nothing', or 16 bytes that it begins with. Whether the condition held.
local there, condition = head(KEYS[1]), ARGV[1]
local holds
if condition == 'vacant' then
  holds = is_vacant(there)
elseif condition == 'nothing' then
  holds = not there
else
  holds = there == condition
end
if not holds then
  return 0
end
if ARGV[3] == '0' then
  redis.call('UNLINK', KEYS[1])
  return 1
end
local kept = keep(KEYS[1], ARGV[2], ARGV[3])
if kept.err then
  return kept
end
return 1
