-- Gives the item ARGV[1] milliseconds, or all time if that is empty.
if is_vacant(head(KEYS[1])) then
  return 0
end
if ARGV[1] == '' then
  redis.call('PERSIST', KEYS[1])
else
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return 1
