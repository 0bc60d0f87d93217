-- Moves an item with the rest of its time.
if is_vacant(head(KEYS[1])) then
  return 0
end
redis.call('RENAME', KEYS[1], KEYS[2])
return 1
