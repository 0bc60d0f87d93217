-- For each key, whether more than a promise was removed.
local taken = {}
for i, key in ipairs(KEYS) do
  taken[i] = is_vacant(head(key)) and 0 or 1
  redis.call('UNLINK', key)
end
return taken
