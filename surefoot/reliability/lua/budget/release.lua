-- Give a reserved hold back. One that was sent stays: only its settlement or its end says what it cost.
-- KEYS and ARGV: as in common.lua. No own ARGV.
-- Reply: the books.
local scopes = opened(now())
for _, s in ipairs(scopes) do
  local hold = live(s)
  if hold and hold.state == 'reserved' then
    forget(s, 'h:' .. HOLD)
    add(s, 'held', -hold.bound)
  end
end
return closed(scopes, {})
