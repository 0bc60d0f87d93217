-- KEYS: the cells. ARGV: writer, ttl.
local writer, ttl = ARGV[1], tonumber(ARGV[2])
for _, key in ipairs(KEYS) do
  local state, alive = look(key)
  local others = without(state == 'fenced' and alive or {}, writer)
  if ttl > 0 then others[#others + 1] = { writer, now + ttl } end
  putFence(key, others)
end
return #KEYS
