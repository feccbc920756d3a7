"""What learns: feature plan, transforms, learner, performance, statistics."""
