var parsed = Turnpike.Commands.Root().Parse(args);
// A gateway takes the time it needs to drain; other verbs end with the signal.
var serving = parsed.CommandResult.Command.Name == "serve";
var code = await parsed.InvokeAsync(new System.CommandLine.InvocationConfiguration { ProcessTerminationTimeout = serving ? null : TimeSpan.FromSeconds(2) });
return parsed.Errors.Count > 0 ? 2 : code;
