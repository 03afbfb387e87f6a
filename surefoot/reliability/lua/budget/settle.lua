-- Turn this attempt's hold into spend at its true cost, once. What was charged for it at the bound is corrected; a
-- hold that is not known any more is booked all the same, since the money is spent; if it should be known, the store
-- has lost writes. Of a call that cost nothing that is not judged: it may never have been sent.
-- KEYS and ARGV: as in common.lua. Own ARGV: cost, 1 if the cost is the bound of a call whose outcome is unknown, the
-- epoch that the hold was taken under, ms when a sent hold can have ended by itself.
-- Reply: epoch, lines crossed, the books.
local at, cost = now(), tonumber(ARGV[6])
local scopes = opened(at)
if redis.call('SET', KEYS[2], ARGV[6], 'PX', MEMORY, 'NX') then
  local known = cost == 0 or #scopes == 0
  for _, s in ipairs(scopes) do
    local hold = live(s)
    if hold and hold.attempt == ATTEMPT then
      forget(s, 'h:' .. HOLD)
      add(s, 'held', -hold.bound)
    end
    local charged = parsed(redis.call('HGET', s.books, 'c:' .. CALL))
    known = known or hold or charged or redis.call('HEXISTS', s.books, 'x:' .. HOLD) == 1
    if charged then
      forget(s, 'c:' .. CALL)
      add(s, 'settled', -charged.bound)
      add(s, 'unknown', -charged.bound)
    end
    add(s, 'settled', cost)
    if ARGV[7] == '1' then add(s, 'unknown', cost) end
  end
  if not known then missed(ARGV[8], tonumber(ARGV[9]), at) end
end
local lines = crossed(scopes, 'settle ' .. CALL, 0)
return closed(scopes, { epoch(), lines })
