using Turnpike.Metering.Reading;

namespace Turnpike.Metering.Formats;

/// <summary>Answers that tell nothing by a provider's rules: only the document's own measures count.</summary>
internal sealed class NoFormat : UsageFormat
{
    public override string Name => "none";

    public override bool Tells(string unit) => false;

    public override PathNode NewPaths() => new();

    public override void Tell(FieldValues told, Counts into) { }

    public override bool IsComplete(FieldValues told) => true;
}
