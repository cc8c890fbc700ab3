TEXT = "after changing everything"
