-- End a hold whose run is over: given back if it was only reserved, charged at its bound as unknown if it was sent.
-- No attempt may use it any more; a settlement that comes late says better what it cost.
-- KEYS and ARGV: as in common.lua. No own ARGV.
-- Reply: epoch, lines crossed, the books.
local at = now()
local scopes = opened(at)
for _, s in ipairs(scopes) do
  local hold = live(s)
  if hold then over(s, HOLD, hold, at) end
  remember(s, 'x:' .. HOLD, { state = 'closed', attempt = 0, bound = 0, rung = 0, tight = 0, at = '0' }, at + MEMORY)
end
return closed(scopes, { epoch(), crossed(scopes, 'close ' .. HOLD, 0) })
