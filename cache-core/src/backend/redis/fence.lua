-- KEYS: the schema cell, then the cells. ARGV: writer, ttl, a fresh generation.
-- Answers the schema's generation as it stands when all marks do, or nil while the schema cell is fenced.
local writer, ttl = ARGV[1], tonumber(ARGV[2])
for at = 2, #KEYS do
  local key = KEYS[at]
  local state, alive = look(key)
  local others = without(state == 'fenced' and alive or {}, writer)
  if ttl > 0 then others[#others + 1] = { writer, now + ttl } end
  putFence(key, others)
end
return open(KEYS[1], ARGV[3])
