-- How well a PodGroup is, from its conditions. Argo CD runs this with Lua's base and table libraries only.
local function condition(kind)
  for _, each in ipairs(obj.status.conditions) do
    if each.type == kind then
      return each
    end
  end
  return {}
end

if obj.metadata.deletionTimestamp ~= nil then
  return {status = "Progressing", message = "It is being deleted"}
end

if obj.status == nil or obj.status.conditions == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return {status = "Progressing", message = "Waiting for the operator to look at it"}
end

local ready, progressing, stalled = condition("Ready"), condition("Progressing"), condition("Stalled")

if stalled.status == "True" then
  return {status = "Degraded", message = stalled.message}
end

if obj.spec.paused == true then
  return {status = "Suspended", message = "It is paused"}
end

if ready.status == "True" then
  return {status = "Healthy", message = ready.message}
end

if progressing.reason == "ProgressDeadlineExceeded" then
  return {status = "Degraded", message = progressing.message}
end

return {status = "Progressing", message = ready.message}
