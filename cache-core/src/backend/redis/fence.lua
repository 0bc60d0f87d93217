-- KEYS: the cells; then the schema cell, if its generation is asked for.
-- ARGV: writer, ttl; then a fresh generation, if so.
-- Answers the schema's generation as it stands when all marks do, or nil while the schema cell is fenced.
local writer, ttl, fresh = ARGV[1], tonumber(ARGV[2]), ARGV[3]
for at = 1, fresh and #KEYS - 1 or #KEYS do
  local key = KEYS[at]
  local state, alive = look(key)
  local others = without(state == 'fenced' and alive or {}, writer)
  if ttl > 0 then others[#others + 1] = { writer, now + ttl } end
  putFence(key, others)
end
return fresh and open(KEYS[#KEYS], fresh)
