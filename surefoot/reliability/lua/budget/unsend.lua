-- Take back that this attempt's hold was sent, since the breaker refused: it is reserved again.
-- KEYS and ARGV: as in common.lua. Own ARGV: ms until an unused hold is released.
-- Reply: the books.
local at = now()
local scopes = opened(at)
for _, s in ipairs(scopes) do
  local hold = live(s)
  if hold and hold.state == 'sent' and hold.attempt == ATTEMPT then
    hold.state = 'reserved'
    remember(s, 'h:' .. HOLD, hold, at + tonumber(ARGV[6]))
  end
end
return closed(scopes, {})
