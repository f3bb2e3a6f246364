namespace Turnpike.Metering;

/// <summary>The destinations every record of use is to be sent to, by name; none where nothing is exported.</summary>
internal delegate IReadOnlyList<string> UsageExports();
