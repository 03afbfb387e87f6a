-- Turn this attempt's hold into spend at its true cost, once. What was charged for it at the bound is corrected; a
-- hold that is not known any more is booked all the same, since the money is spent.
-- KEYS and ARGV: as in common.lua. Own ARGV: cost, 1 if the cost is the bound of a call whose outcome is unknown.
-- Reply: epoch, lines crossed, the books.
local at, cost = now(), tonumber(ARGV[6])
local scopes = opened(at)
if redis.call('SET', KEYS[2], ARGV[6], 'PX', MEMORY, 'NX') then
  for _, s in ipairs(scopes) do
    local hold = live(s)
    if hold and hold.attempt == ATTEMPT then
      forget(s, 'h:' .. HOLD)
      add(s, 'held', -hold.bound)
    end
    local charged = parsed(redis.call('HGET', s.books, 'c:' .. CALL))
    if charged then
      forget(s, 'c:' .. CALL)
      add(s, 'settled', -charged.bound)
      add(s, 'unknown', -charged.bound)
    end
    add(s, 'settled', cost)
    if ARGV[7] == '1' then add(s, 'unknown', cost) end
  end
end
local lines = crossed(scopes, 'settle ' .. CALL, 0)
return closed(scopes, { epoch(), lines })
