return await Turnpike.Commands.Root().Parse(args).InvokeAsync();
