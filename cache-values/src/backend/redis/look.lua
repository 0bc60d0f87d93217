-- For each key: what is there, and how many milliseconds of its time are left; -1 if it has no end.
local seen = {}
for i, key in ipairs(KEYS) do
  seen[i] = {redis.call('MGET', key)[1], redis.call('PTTL', key)}
end
return seen
