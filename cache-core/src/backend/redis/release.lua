-- KEYS: the cells. ARGV: writer.
-- Answers how many of the fences were lost.
local lost = 0
for _, key in ipairs(KEYS) do
  local state, alive = look(key)
  local others, found = without(state == 'fenced' and alive or {}, ARGV[1])
  if not found then lost = lost + 1 end
  putFence(key, others)
end
return lost
