-- KEYS: the cell of the incarnation. ARGV: the server's run, its promotion (zeros: none that it can name), a
--       number; 8 bytes each.
-- Answers the number of this reign: the cell's, or the one given if the cell is another reign's or none.
local INCARNATION_LIFE = 1800000

local held = redis.pcall('GETRANGE', KEYS[1], 0, 26)
if type(held) == 'string' and #held == 26 and string.sub(held, 1, 2) == 'N1' then
  local run, promotion = string.sub(held, 11, 18), string.sub(held, 19, 26)
  if run == ARGV[1] and (promotion == ARGV[2] or ARGV[2] == string.rep('\0', 8)) then
    redis.call('PEXPIRE', KEYS[1], INCARNATION_LIFE)
    return string.sub(held, 3, 10)
  end
end
redis.call('SET', KEYS[1], 'N1' .. ARGV[3] .. ARGV[1] .. ARGV[2], 'PX', INCARNATION_LIFE)
return ARGV[3]
