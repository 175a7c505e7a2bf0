local paused = obj.spec.paused == true

return {
  restart = {disabled = false},
  pause = {disabled = paused},
  resume = {disabled = not paused},
}
